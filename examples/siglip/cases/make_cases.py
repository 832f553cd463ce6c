"""Writes the cases of this folder: a SigLIP of a few random numbers in Hugging Face's format, and what the library transformers makes of
it. Needs torch, transformers, sentencepiece, safetensors and pillow; the same versions give the same files.

    python make_cases.py
"""

import json
import os

import numpy
import sentencepiece
import torch
from PIL import Image
from safetensors.torch import save_file
from transformers import SiglipConfig, SiglipImageProcessorPil, SiglipModel, SiglipTokenizer

HERE = os.path.dirname(os.path.abspath(__file__))
WIDTH, HEADS, GRID, PATCH, LENGTH = 24, 4, 3, 8, 12
TEXTS = ["a red ball on green grass", "Two dogs, sleeping; in the SUN!", "", "the   sky\tat night", "caf\u00e9 au lait \u4e2d\u6587",
         "one two three four five six seven eight nine ten eleven twelve"]


def tokenizer():
    """spiece.model: special ids as in the published one (<pad> 0, </s> 1, <unk> 2)."""
    corpus = [text.lower() for text in TEXTS[:2]] + ["a dog in the sun", "the ball is red", "green grass and the sky", "four dogs at night"]
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(corpus * 20), model_prefix=f"{HERE}/spiece", model_type="unigram", vocab_size=80, hard_vocab_limit=False, normalization_rule_name="identity", pad_id=0, eos_id=1,
        unk_id=2, bos_id=-1, minloglevel=2)
    os.remove(f"{HERE}/spiece.vocab")
    return SiglipTokenizer(f"{HERE}/spiece.model")


def model(vocabulary):
    torch.manual_seed(0)
    tower = dict(hidden_size=WIDTH, num_attention_heads=HEADS, num_hidden_layers=2, intermediate_size=40)
    config = SiglipConfig(
        vision_config=dict(tower, image_size=GRID * PATCH, patch_size=PATCH),
        text_config=dict(tower, vocab_size=vocabulary, max_position_embeddings=LENGTH, projection_size=WIDTH))
    made = SiglipModel(config).eval()
    with torch.no_grad():
        for name, value in made.named_parameters():  # large enough for every part to show
            value.copy_(torch.randn_like(value) * (0.5 if value.dim() > 1 else 0.1))
            if "norm" in name and name.endswith("weight"):
                value.add_(1)
    save_file({name: value.clone() for name, value in made.state_dict().items()}, f"{HERE}/tiny.safetensors")
    return made


def image_side(made, pixels):
    vision = made.vision_model
    tokens = vision(pixel_values=pixels, interpolate_pos_encoding=True)
    rows, columns = pixels.shape[2] // PATCH, pixels.shape[3] // PATCH
    last = tokens.last_hidden_state                                            # [B,G,W]
    alone = vision.head(last.reshape(-1, 1, WIDTH)).reshape(len(pixels), rows, columns, WIDTH)
    attention = vision.head.attention
    query, key, _ = attention.in_proj_weight.chunk(3)
    query_bias, key_bias, _ = attention.in_proj_bias.chunk(3)
    split = lambda x: x.reshape(*x.shape[:2], HEADS, -1).transpose(1, 2)        # [B,H,T,W/H]
    logits = split(vision.head.probe @ query.T + query_bias) @ split(last @ key.T + key_bias).transpose(2, 3)
    weights = (logits / (WIDTH // HEADS) ** 0.5).mean(1)[:, 0].softmax(-1)     # [B,G]
    return {"tokens": last, "global": tokens.pooler_output, "patches": alone, "attention": weights.reshape(-1, rows, columns)}


def write(name, case, tensors):
    os.makedirs(f"{HERE}/{name}", exist_ok=True)
    save_file({key: value.detach().contiguous() for key, value in tensors.items()}, f"{HERE}/{name}/expected.safetensors")
    case = {"kind": "plugin.backbone", "plugin": "siglip",
            "options": {"weights": "../tiny.safetensors", "vocabulary": "../spiece.model", "heads": HEADS}, **case,
            "expected": [{"name": key, "shape": list(value.shape)} for key, value in tensors.items()],
            "tolerance": {"abs": 2e-5, "rel": 1e-4, "input": 1e-6}}
    with open(f"{HERE}/{name}/case.json", "w") as file:
        json.dump(case, file, indent=1)
        file.write("\n")


def main():
    words = tokenizer()
    made = model(words.vocab_size)
    random = numpy.random.default_rng(0)
    photo = Image.fromarray(random.integers(0, 256, (6, 5, 3), dtype="uint8")).resize((50, 60), Image.BILINEAR)
    photo.save(f"{HERE}/photo.png")
    processor = SiglipImageProcessorPil(size={"height": GRID * PATCH, "width": GRID * PATCH})
    pixels = processor(photo, return_tensors="pt").pixel_values
    ids = words(TEXTS, padding="max_length", truncation=True, max_length=LENGTH, return_tensors="pt").input_ids
    texts = made.text_model(input_ids=ids).pooler_output
    write("native", {"what": "the size it was trained with, its preprocessing, its texts", "images": ["../photo.png"], "texts": TEXTS},
          {"input": pixels, **image_side(made, pixels), "text_ids": ids, "text_embed": texts})
    oblong = torch.randn(2, 3, 2 * PATCH, 5 * PATCH)
    write("oblong", {"what": "another grid, for which positions are interpolated; two images"}, {"input": oblong, **image_side(made, oblong)})


if __name__ == "__main__":
    main()
