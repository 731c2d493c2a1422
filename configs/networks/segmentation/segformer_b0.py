"""SegFormer-B0 (Xie et al., NeurIPS 2021) on random 512x1024 crops.

In schedules, ``begin`` and ``end`` are shares (0.0-1.0) of the training's iterations. Every ``num_classes`` is set from
the taxonomy. ``input_size`` is (width, height). Initial weights come from ``retrain.segmentation.init``.
"""

input_size = (2048, 1024)
crop_size = (512, 1024)  # (height, width)

model = dict(
    type="EncoderDecoder",
    data_preprocessor=dict(
        type="SegDataPreProcessor",
        mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375],
        bgr_to_rgb=True,
        pad_val=0,
        seg_pad_val=255,
        size=crop_size,
        test_cfg=dict(size_divisor=32),
    ),
    backbone=dict(
        type="MixVisionTransformer",
        in_channels=3,
        embed_dims=32,
        num_stages=4,
        num_layers=[2, 2, 2, 2],
        num_heads=[1, 2, 5, 8],
        patch_sizes=[7, 3, 3, 3],
        sr_ratios=[8, 4, 2, 1],
        out_indices=(0, 1, 2, 3),
        mlp_ratio=4,
        qkv_bias=True,
        drop_path_rate=0.1,
    ),
    decode_head=dict(
        type="SegformerHead",
        in_channels=[32, 64, 160, 256],
        in_index=[0, 1, 2, 3],
        channels=256,
        dropout_ratio=0.1,
        num_classes=19,
        norm_cfg=dict(type="BN", requires_grad=True),
        align_corners=False,
        loss_decode=dict(type="CrossEntropyLoss", avg_non_ignore=True, loss_weight=1.0),
    ),
    test_cfg=dict(mode="whole"),
)

train_pipeline = [
    dict(type="LoadTableImage"),
    dict(type="LoadTableMask"),
    dict(type="RandomResize", scale=input_size, ratio_range=(0.5, 2.0), keep_ratio=True),
    dict(type="RandomCrop", crop_size=crop_size, cat_max_ratio=0.75),
    dict(type="RandomFlip", prob=0.5),
    dict(type="PhotoMetricDistortion"),
    dict(type="PackSegInputs"),
]
test_pipeline = [
    dict(type="LoadTableImage"),
    dict(type="Resize", scale=input_size, keep_ratio=True),
    dict(type="PackSegInputs"),
]

optim_wrapper = dict(
    optimizer=dict(type="AdamW", lr=6e-5, betas=(0.9, 0.999), weight_decay=0.01),
    paramwise_cfg=dict(
        custom_keys={"pos_block": dict(decay_mult=0.0), "norm": dict(decay_mult=0.0), "head": dict(lr_mult=10.0)}
    ),
)
param_scheduler = [
    dict(type="LinearLR", start_factor=1e-6, begin=0.0, end=0.01, by_epoch=False),
    dict(type="PolyLR", power=1.0, eta_min=0.0, begin=0.01, end=1.0, by_epoch=False),
]
