"""Policy: what a call looks like to Rego, the bundle of rules, the engines that evaluate it, and the checked answer."""
