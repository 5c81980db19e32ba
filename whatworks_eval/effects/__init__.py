"""The effect measures the field uses: one file each, from four or more counts to an Estimate."""
