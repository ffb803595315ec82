"""The catalog agent: what a warehouse holds, what a dbt project says of it, and the change that would close the gap."""
