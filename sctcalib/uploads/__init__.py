"""Requests to upload a job's conditions database, and the loop that serves them
(run-query-and-upload.md B4, transform.md 9.7)."""
