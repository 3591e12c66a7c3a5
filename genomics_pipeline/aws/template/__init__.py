"""The CloudFormation template of one stack. Pure: pipelines, steps and image tags in, a document out.

Property names are those of CloudFormation's resource schemas, which the tests hold it against with cfn-lint.
"""
