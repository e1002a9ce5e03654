"""Image to vector: histograms of gradients and of hues, of whole pictures and of patches."""

from gibswatch.features.definition import (
    FEATURE_KINDS,
    FEATURE_VERSION,
    FeatureDefinition,
    FeatureKind,
    PatchDefinition,
)
from gibswatch.features.extract import extract, extract_patches, standard_picture
from gibswatch.features.hog import hog
from gibswatch.features.hue import hue_histogram
from gibswatch.features.patches import (
    patch_features,
    patch_grid,
    patch_labels,
    patch_shares,
    pixel_scores,
)
from gibswatch.features.pixels import (
    PatchPixels,
    PicturePixels,
    patch_pixels,
    picture_pixels,
    standard_shape,
)
from gibswatch.features.run import FeaturesResult, archive_features
from gibswatch.features.table import (
    FeatureBatch,
    FeatureRow,
    iter_features,
    read_features,
    write_features,
)
from gibswatch.features.whole import SkippedDay, read_whole_scene

__all__ = [
    "FEATURE_KINDS",
    "FEATURE_VERSION",
    "FeatureBatch",
    "FeatureDefinition",
    "FeatureKind",
    "FeatureRow",
    "FeaturesResult",
    "PatchDefinition",
    "PatchPixels",
    "PicturePixels",
    "SkippedDay",
    "archive_features",
    "extract",
    "extract_patches",
    "hog",
    "hue_histogram",
    "iter_features",
    "patch_features",
    "patch_grid",
    "patch_labels",
    "patch_pixels",
    "patch_shares",
    "picture_pixels",
    "pixel_scores",
    "read_features",
    "read_whole_scene",
    "standard_picture",
    "standard_shape",
    "write_features",
]
