"""EfficientNet-Lite0 + FPN of 64 channels: what two CPU cores learn street scenes with, from packaged ImageNet weights.

Frozen stages and sizes are as measured: docs/results/networks.md. In schedules, ``begin`` and ``end`` are shares
(0.0-1.0) of the training's iterations. Every ``num_classes`` is set from the taxonomy. ``input_size`` is (width,
height). Initial weights: ``init: packaged``. For thin classes: ``class_weights: real``.
"""

input_size = (480, 360)
crop_size = (288, 384)  # (height, width)
norm_cfg = dict(type="BN", requires_grad=True)

model = dict(
    type="EncoderDecoder",
    data_preprocessor=dict(
        type="SegDataPreProcessor",
        mean=[127.0, 127.0, 127.0],
        std=[128.0, 128.0, 128.0],
        bgr_to_rgb=True,
        pad_val=0,
        seg_pad_val=255,
        size_divisor=32,
        test_cfg=dict(size_divisor=32),
    ),
    # ImageNet's statistics are better than those of four images, and its first stages see edges of any kind: with both
    # kept, the backbone's part of an iteration takes half as long.
    backbone=dict(type="EfficientNetLite", out_indices=(1, 2, 3, 4), frozen_stages=2, norm_eval=True),
    neck=dict(type="FPN", in_channels=[24, 40, 112, 320], out_channels=64, num_outs=4),
    decode_head=dict(
        type="FPNHead",
        in_channels=[64, 64, 64, 64],
        in_index=[0, 1, 2, 3],
        feature_strides=[4, 8, 16, 32],
        channels=64,
        dropout_ratio=0.1,
        num_classes=19,
        norm_cfg=norm_cfg,
        align_corners=False,
        loss_decode=dict(type="CrossEntropyLoss", avg_non_ignore=True, loss_weight=1.0),
    ),
    test_cfg=dict(mode="whole"),
)

train_pipeline = [
    dict(type="LoadTableImage"),
    dict(type="LoadTableMask"),
    dict(type="Resize", scale=input_size, keep_ratio=False),
    dict(type="RandomCrop", crop_size=crop_size),
    dict(type="RandomFlip", prob=0.5),
    dict(type="PhotoMetricDistortion"),
    dict(type="PackSegInputs"),
]
test_pipeline = [
    dict(type="LoadTableImage"),
    dict(type="Resize", scale=input_size, keep_ratio=False),
    dict(type="PackSegInputs"),
]

optim_wrapper = dict(
    optimizer=dict(type="AdamW", lr=1e-3, weight_decay=0.01),
    paramwise_cfg=dict(custom_keys=dict(backbone=dict(lr_mult=0.5))),
)
param_scheduler = [dict(type="PolyLR", power=0.9, eta_min=1e-6, begin=0.0, end=1.0, by_epoch=False)]
