"""The CloudFormation template of a stack, a function of pipelines, steps and image tags. Pure.

Property names are those of CloudFormation's resource schemas; the tests check the template with cfn-lint.
"""
