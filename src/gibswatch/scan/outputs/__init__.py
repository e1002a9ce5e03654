"""What a scan leaves behind: tables, masks, reason rasters, labels, the record of a report."""
