"""AWS's prices as dated data: a folder for each Region, in the package and in the user's own folder."""
