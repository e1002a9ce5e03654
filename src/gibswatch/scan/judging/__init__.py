"""From a picture to what is said of its day: observe, expect, detect, decide, describe."""
