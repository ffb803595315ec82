"""Alerts that start a run: deliveries of Alertmanager and PagerDuty, verified, kept, and worked off."""
