"""The predecessor's module: `from gibs_layer import GIBSLayer` goes on working."""

from gibswatch.catalogue.gibs_layer import GIBSLayer

__all__ = ["GIBSLayer"]
