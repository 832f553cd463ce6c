"""Writes the case of this folder with SciPy's erosion. Needs numpy, scipy and safetensors.

    python make_cases.py
"""

import json
import os

import numpy
from safetensors.numpy import save_file
from scipy.ndimage import binary_erosion

HERE = os.path.dirname(os.path.abspath(__file__))
PATCH, GRID = 16, 10                   # an image of 160x160 pixels, which the network sees as it is
SIDE = PATCH * GRID


def cells(*boxes):
    """Cells of boxes of whole patches: row, column, rows, columns."""
    grid = numpy.zeros((GRID, GRID), bool)
    for row, column, rows, columns in boxes:
        grid[row:row + rows, column:column + columns] = True
    return grid


def box(row, column, rows, columns):
    """In pixels x, y, width, height; a pixel less, since a box that ends on a border of patches has the patch behind as well."""
    return [column * PATCH, row * PATCH, columns * PATCH - 1, rows * PATCH - 1]


def inside(grid, steps):
    for _ in range(steps):
        smaller = binary_erosion(grid, numpy.ones((3, 3)), border_value=1)
        if not smaller.any():
            break
        grid = smaller
    return (grid / grid.sum()).astype("float32")


def main():
    middle, corner, thin = (2, 3, 5, 6), (0, 0, 4, 4), (5, 1, 1, 8)
    mask = cells((3, 0, 7, 5))                                           # to the left and lower border
    pixels = numpy.kron(mask, numpy.ones((PATCH, PATCH), bool)).T.flatten()  # column by column, as COCO counts
    changes = numpy.flatnonzero(numpy.diff(numpy.concatenate([[False], pixels])))
    runs = numpy.diff(numpy.concatenate([[0], changes, [pixels.size]])).tolist()
    regions = [{"box": box(*middle)}, {"box": box(*corner)}, {"box": box(*thin)}, {"mask": {"size": [SIDE, SIDE], "counts": runs}},
               {"patch": [4, 4]}, {"image": True}]
    shapes = [cells(middle), cells(corner), cells(thin), mask]
    for steps in (1, 2):
        weights = [inside(shape, steps) for shape in shapes] + [inside(cells((4, 4, 1, 1)), 0), inside(cells((0, 0, GRID, GRID)), 0)]
        folder = f"{HERE}/steps_{steps}"
        os.makedirs(folder, exist_ok=True)
        save_file({"weights": numpy.stack(weights)}, f"{folder}/expected.safetensors")
        case = {"kind": "plugin.aggregator", "plugin": "eroded", "options": {"steps": steps},
                "image_size": [SIDE, SIDE], "spec": {"resize_dim": SIDE, "patch_size": PATCH}, "regions": regions,
                "expected": [{"name": "weights", "shape": [len(weights), GRID, GRID], "meaning": "of each region"}], "tolerance": 1e-6}
        with open(f"{folder}/case.json", "w") as file:
            json.dump(case, file, indent=1)
            file.write("\n")


if __name__ == "__main__":
    main()
