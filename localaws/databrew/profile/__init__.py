"""Profiles of datasets and checks of their quality, as DataBrew writes them; in a worker."""
