"""The job-transform framework. It knows nothing of the SCT; another detector could use it."""
