"""AWS's services as the use cases need them; credentials, region and endpoints come from the standard chain."""
