"""What a workspace holds, as values to look at: for pages and for programs alike. Nothing here changes anything."""
