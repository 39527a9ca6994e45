"""The operator's page: lamp, live picture, last rejects, trend and health in a browser beside the line."""
