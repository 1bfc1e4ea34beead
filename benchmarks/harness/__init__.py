"""What runs a race and tells how it went: the workloads are beside this package, the rivals in the next."""
