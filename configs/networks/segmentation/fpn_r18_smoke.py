"""``fpn_r18_cpu`` at half its width again: for smoke runs, which show that the chain works, not quality."""

_base_ = "fpn_r18_cpu.py"

model = dict(
    backbone=dict(base_channels=16, stem_channels=16),
    neck=dict(in_channels=[16, 32, 64, 128], out_channels=32),
    decode_head=dict(in_channels=[32, 32, 32, 32], channels=32),
)
optim_wrapper = dict(optimizer=dict(lr=3e-3))
