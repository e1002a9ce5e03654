"""Image to vector: HOG, hue histogram, patches (step 9)."""
