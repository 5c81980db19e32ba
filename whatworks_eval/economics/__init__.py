"""From an effect to pounds, hours and harm: never better evidence than the effect it multiplies."""
