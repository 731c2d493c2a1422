"""``rtmdet_cpu`` at half its width again: for smoke runs, which show that the chain works, not quality."""

_base_ = "rtmdet_cpu.py"

model = dict(
    backbone=dict(widen_factor=0.125),
    neck=dict(in_channels=[32, 64, 128], out_channels=32),
    bbox_head=dict(in_channels=32, feat_channels=32),
)
