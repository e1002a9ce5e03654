"""Labels of a whole archive: what they say beside a person's, and which days a person should see.

The modules take records and give records; `run.label_archive` alone knows files.
"""
