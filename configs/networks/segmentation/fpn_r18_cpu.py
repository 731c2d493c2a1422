"""ResNet-18 + FPN, half width: a segmenter small enough to be trained on two CPU cores, from scratch.

In schedules, ``begin`` and ``end`` are shares (0.0-1.0) of the training's iterations. Every ``num_classes`` is set from
the taxonomy. ``input_size`` is (width, height): what images are resized to for training and for inference.
"""

input_size = (256, 128)
norm_cfg = dict(type="BN", requires_grad=True)

model = dict(
    type="EncoderDecoder",
    data_preprocessor=dict(
        type="SegDataPreProcessor",
        mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375],
        bgr_to_rgb=True,
        pad_val=0,
        seg_pad_val=255,
        size_divisor=32,
        test_cfg=dict(size_divisor=32),
    ),
    backbone=dict(
        type="ResNetV1c",
        depth=18,
        base_channels=32,
        stem_channels=32,
        num_stages=4,
        out_indices=(0, 1, 2, 3),
        dilations=(1, 1, 1, 1),
        strides=(1, 2, 2, 2),
        norm_cfg=norm_cfg,
        style="pytorch",
    ),
    neck=dict(type="FPN", in_channels=[32, 64, 128, 256], out_channels=64, num_outs=4),
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
    dict(type="RandomFlip", prob=0.5),
    dict(type="PackSegInputs"),
]
test_pipeline = [
    dict(type="LoadTableImage"),
    dict(type="Resize", scale=input_size, keep_ratio=False),
    dict(type="PackSegInputs"),
]

optim_wrapper = dict(optimizer=dict(type="AdamW", lr=1e-3, weight_decay=0.01))
param_scheduler = [dict(type="PolyLR", power=0.9, eta_min=1e-6, begin=0.0, end=1.0, by_epoch=False)]
