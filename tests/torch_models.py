"""Small backbones with random weights, of the kinds training engineers bring: also factories for --factory."""

from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import nn


class Residual(nn.Module):
    def __init__(self, wide_in, wide_out, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(wide_in, wide_out, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(wide_out)
        self.relu = nn.ReLU(inplace=True)
        self.conv2 = nn.Conv2d(wide_out, wide_out, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(wide_out)
        self.down = nn.Conv2d(wide_in, wide_out, 1, stride) if stride > 1 or wide_in != wide_out else None

    def forward(self, x):
        y = self.bn2(self.conv2(self.relu(self.bn1(self.conv1(x)))))
        return self.relu(y + (x if self.down is None else self.down(x)))


class ResNet(nn.Module):
    """Strides 4, 8, 16, 32 like the famous ones, with a classifier behind."""

    def __init__(self, classes=7):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 8, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(8)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(3, 2, 1)
        self.layer1 = nn.Sequential(Residual(8, 8, 1), Residual(8, 8, 1))
        self.layer2 = nn.Sequential(Residual(8, 12, 2), Residual(12, 12, 1))
        self.layer3 = nn.Sequential(Residual(12, 16, 2), Residual(16, 16, 1))
        self.layer4 = nn.Sequential(Residual(16, 20, 2))
        self.fc = nn.Linear(20, classes)

    def forward(self, x):
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.fc(x.mean((2, 3)))


class Plain(nn.Module):
    """Convolutions in one Sequential; the picture is read twice, so its colours cannot be turned in the weights."""

    def __init__(self):
        super().__init__()
        layers = [nn.Conv2d(3, 8, 3, 2, 1), nn.ReLU()]
        for wide_in, wide_out in ((8, 8), (8, 12), (12, 16)):
            layers += [nn.Conv2d(wide_in, wide_out, 3, 2, 1), nn.BatchNorm2d(wide_out), nn.ReLU()]
        self.features = nn.Sequential(*layers)

    def forward(self, x):
        return self.features(x * x.sigmoid())


class Block(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attn = nn.MultiheadAttention(width, 4, batch_first=True)
        self.mlp = nn.Sequential(nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width))

    def forward(self, x):
        y = self.norm1(x)
        x = x + self.attn(y, y, y, need_weights=False)[0]
        return x + self.mlp(self.norm2(x))


class ViT(nn.Module):
    """A vision transformer made for one picture size; positions for class token and patches."""

    def __init__(self, size=(64, 64), patch=16, width=16, class_token=True, registers=0, last=False):
        super().__init__()
        self.patch_embed = nn.Conv2d(3, width, patch, patch)
        self.cls_token = nn.Parameter(torch.randn(1, 1, width)) if class_token else None
        self.reg_token = nn.Parameter(torch.randn(1, registers, width)) if registers else None
        places = (size[0] // patch) * (size[1] // patch)
        self.pos_embed = nn.Parameter(torch.randn(1, places + class_token, width))
        self.blocks = nn.ModuleList(Block(width) for _ in range(4))
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, 5)
        self.last = last

    def forward(self, x):
        x = self.patch_embed(x).flatten(2).transpose(1, 2)
        if self.cls_token is not None:
            x = torch.cat([self.cls_token.expand(x.shape[0], -1, -1), x], dim=1)
        x = x + self.pos_embed
        if self.reg_token is not None:
            front = 0 if self.cls_token is None else 1
            registers = self.reg_token.expand(x.shape[0], -1, -1)
            x = torch.cat([x, registers] if self.last else [x[:, :front], registers, x[:, front:]], dim=1)
        for block in self.blocks:
            x = block(x)
        return self.head(self.norm(x).mean(1))


def seeded(make, **options):
    """A model with random weights, and batch statistics that are not the trivial ones."""
    torch.manual_seed(5)
    model = make(**options)
    for part in model.modules():
        if isinstance(part, nn.BatchNorm2d):
            part.running_mean.normal_(0, 0.2)
            part.running_var.uniform_(0.5, 1.5)
    return model.eval()


def resnet():
    return seeded(ResNet)


def plain():
    return seeded(Plain)


def vit(img_size=64):
    size = (img_size, img_size) if isinstance(img_size, int) else img_size
    return seeded(ViT, size=size)


def vit14(image_size):
    size = (image_size, image_size) if isinstance(image_size, int) else image_size
    return seeded(ViT, size=size, patch=14)


def vit_registers():
    return seeded(ViT, class_token=False, registers=4)


def vit_class_and_registers():
    return seeded(ViT, registers=2)


def vit_fixed():
    """Made for 64×64 and unable to be told another size."""
    return seeded(ViT)


def vit_registers_last():
    return seeded(ViT, registers=2, last=True)


def raises():
    raise RuntimeError("no disk")


def number():
    return 7


class Steers(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3, 8, 1)

    def forward(self, x):
        x = self.conv(x)
        if x.sum() > 0:
            x = x * 2
        return x


def steers():
    return Steers()


class Largest(nn.Module):
    """torch.export can follow it, but ONNX has no form of it."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3, 8, 1)

    def forward(self, x):
        return self.conv(x / x.amax())


class Flat(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(3, 4)

    def forward(self, x):
        return self.linear(x.mean((2, 3)))


def flat():
    return Flat()


class Views(nn.Module):
    """Cuts its maps by view, which fails on tensors whose channels lie innermost in memory."""

    def __init__(self):
        super().__init__()
        self.cut = nn.Conv2d(3, 8, 1)
        self.mix = nn.Conv2d(32, 8, 4, 4)

    def forward(self, x):
        x = self.cut(x)
        _, wide, rows, cols = x.shape
        x = x.view(wide * rows // 2, 2, cols // 2, 2).transpose(1, 2)
        return self.mix(x.reshape(1, wide, rows // 2, cols // 2, 4).permute(0, 1, 4, 2, 3).flatten(1, 2))


class PickyViT(ViT):
    """Checks the side of its picture, as torchvision's transformers do."""

    def __init__(self, image_size=64, **options):
        super().__init__(size=(image_size, image_size), **options)
        self.image_size = image_size

    def forward(self, x):
        for side in x.shape[2:]:
            torch._assert(side == self.image_size, f"Expected {self.image_size} but got {side}")  # noqa: SLF001 - theirs
        return super().forward(x)


def picky_vit():
    return seeded(PickyViT)


class ResizingViT(ViT):
    """Made for 64×64, with timm's own way to another picture size."""

    def set_input_size(self, img_size):
        places = (img_size[0] // 16) * (img_size[1] // 16)
        self.pos_embed = nn.Parameter(torch.ones(1, places + 1, 16))


def resizing_vit():
    return seeded(ResizingViT)


def vit_wide():
    """Made for 32×192: with the class token it has as many tokens as a square of 80 has places."""
    return seeded(ViT, size=(32, 192))


class Backwards(nn.Module):
    def forward(self, x):
        return torch.cat([x[:, :1], x[:, 1:].flip(1)], dim=1)


def vit_backwards():
    """Its tokens lie from the last place to the first."""
    model = vit()
    model.blocks[0] = nn.Sequential(Backwards(), model.blocks[0])
    return model


class Isotropic(nn.Module):
    """Convolutions at the stride of its patches only."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 14, 14)
        self.blocks = nn.Sequential(*(nn.Conv2d(8, 8, 3, 1, 1) for _ in range(4)))
        self.pool = nn.AdaptiveAvgPool2d(1)

    def forward(self, x):
        x = self.blocks(self.stem(x))
        return self.pool(x).flatten(1)


class Valid(nn.Module):
    """Convolutions without padding, as Inception's: its maps lack places at the rim."""

    def __init__(self):
        super().__init__()
        widths = (3, 8, 8, 12, 16)
        self.layers = nn.ModuleList(nn.Conv2d(a, b, 3, 2) for a, b in pairwise(widths))

    def forward(self, x):
        for layer in self.layers:
            x = layer(x).relu()
        return x


@dataclass
class Answer:
    """A class that torch.export does not know."""

    scores: torch.Tensor


class Answers(nn.Module):
    """Gives its answer, and inside it that of a backbone, in containers."""

    def __init__(self):
        super().__init__()
        self.backbone = Named()
        self.classifier = nn.Conv2d(16, 5, 1)

    def forward(self, x):
        return Answer(self.classifier(self.backbone(x)["out"]))


class Named(nn.Module):
    """A segmentation network's backbone: strides 8 and 16, the last one by name."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 9, 8, 4)
        self.last = nn.Sequential(nn.Conv2d(8, 16, 3, 2, 1), nn.ReLU())

    def forward(self, x):
        x = self.stem(x)
        return {"fine": x, "out": self.last(x)}
