"""What is deployed, and the images that it runs."""
