"""Probes of the twelve production controls: each attacks a scratch workspace and counts what got through.

Rules: nothing of the live workspace is touched but one entry of its log; an effect is what stands at the target and in
the log, never what a call returned; what is allowed is tried beside what is not, so that a probe can fail.
"""
