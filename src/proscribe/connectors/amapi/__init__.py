"""Android Management API: observe and act through device policies. See README.md beside this file."""
