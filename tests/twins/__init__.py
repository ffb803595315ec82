"""Servers that stand in for services which cannot be run here: they speak real HTTP, and refuse what those refuse."""
