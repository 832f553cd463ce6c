"""Writes the case of this folder: features that are colours, and phrases by the text side of the example `colours`, whose numbers are worked
out here. Needs numpy and safetensors.

    python make_cases.py
"""

import json
import os

import numpy
from safetensors.numpy import save_file

HERE = os.path.dirname(os.path.abspath(__file__))
WIDTH, BLUE, RED = 31, 1, 8      # of `colours`: eleven colours by alphabet, four patterns, sixteen places for other words
OTHER_WORD = 0.1


def main():
    os.makedirs(f"{HERE}/colours", exist_ok=True)
    features = numpy.zeros((3, WIDTH), "float32")
    features[0, RED], features[1, BLUE] = 2, 0.5
    features[2, [RED, BLUE]] = 1
    # "red and blue" is 1 in two places and 0.1 in that of "and", where features have nothing.
    both = 2 / (2 * (2 + OTHER_WORD**2)) ** 0.5
    with open(f"{HERE}/colours/phrases.txt", "w") as file:
        file.write("# three phrases\nred\nblue.\n\nred and blue\n")
    save_file({"in_features": features, "scores": numpy.array([1, 1, both])}, f"{HERE}/colours/expected.safetensors")
    case = {"kind": "plugin.decoder", "plugin": "phrases", "options": {"phrases": "phrases.txt", "dim": WIDTH}, "backbone": {"plugin": "colours"},
            "captions": ["red", "blue", "red and blue"],
            "expected": [{"name": "in_features", "shape": [3, WIDTH]}, {"name": "scores", "shape": [3], "meaning": "cosines"}],
            "tolerance": 1e-6}
    with open(f"{HERE}/colours/case.json", "w") as file:
        json.dump(case, file, indent=1)
        file.write("\n")


if __name__ == "__main__":
    main()
