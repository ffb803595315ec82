"""Files that the settings name, behind the telemetry port: log files, OTLP spans, events, who calls whom."""
