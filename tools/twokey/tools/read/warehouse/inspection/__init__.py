"""What is wrong in the cells of a table, without labels: ``inspecting`` has the rules, ``answering`` the answer."""
