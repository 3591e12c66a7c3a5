"""What happens on AWS: submissions, how they stand, and what follows a failure."""
