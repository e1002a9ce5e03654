"""Pictures that lie anywhere: imagery of their layer or not, of which day, and what is wrong."""
