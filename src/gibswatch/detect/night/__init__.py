"""Where a day's imagery ends in the dark: the Sun's cut, and granules that are left out."""
