"""The words of Twokey as frozen values, the lifecycle of a change, errors, settings and ports."""
