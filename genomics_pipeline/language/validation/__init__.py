"""Validation of a document as AWS does it before it runs, with AWS's codes and the path to each problem."""
