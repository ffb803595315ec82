"""Write tools: rendered in full before anybody is asked, applied by the executor only."""
