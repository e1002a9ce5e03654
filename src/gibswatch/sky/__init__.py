"""What should be visible: sun, orbit, swath, granule, eclipse, schedule (step 4)."""
