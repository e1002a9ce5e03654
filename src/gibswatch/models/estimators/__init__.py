"""Classic estimators with scikit-learn's contract, and one score: higher is more anomalous.

Nothing is imported here: scikit-learn is an extra, and `gibswatch.models.registry` imports the
module of an estimator when the estimator is asked for.
"""
