"""EfficientNet-Lite0 + FPN of 64 channels + ATSS head (Zhang et al., CVPR 2020): a detector that CPU cores can train.

Head, frozen stages and sizes are as measured: docs/results/networks.md. In schedules, ``begin`` and ``end`` are shares
(0.0-1.0) of the training's iterations. Every ``num_classes`` is set from the taxonomy. ``input_size`` is (width,
height). Initial weights: ``init: packaged``.
"""

input_size = (480, 360)
crop_size = (288, 384)  # (height, width)

model = dict(
    type="ATSS",
    data_preprocessor=dict(
        type="DetDataPreprocessor",
        mean=[127.0, 127.0, 127.0],
        std=[128.0, 128.0, 128.0],
        bgr_to_rgb=True,
        pad_size_divisor=32,
    ),
    # ImageNet's statistics are better than those of four images, and its first stages see edges of any kind: with both
    # kept, the backbone's part of an iteration takes half as long.
    backbone=dict(type="EfficientNetLite", out_indices=(2, 3, 4), frozen_stages=2, norm_eval=True),
    neck=dict(type="FPN", in_channels=[40, 112, 320], out_channels=64, num_outs=4, add_extra_convs="on_output"),
    bbox_head=dict(
        type="ATSSHead",
        num_classes=80,
        in_channels=64,
        stacked_convs=2,
        feat_channels=64,
        norm_cfg=dict(type="GN", num_groups=16, requires_grad=True),
        anchor_generator=dict(  # half of ATSS's 8 strides: the median pedestrian is 10 pixels wide
            type="AnchorGenerator", ratios=[1.0], octave_base_scale=4, scales_per_octave=1, strides=[8, 16, 32, 64]
        ),
        bbox_coder=dict(type="DeltaXYWHBBoxCoder", target_means=[0.0, 0.0, 0.0, 0.0], target_stds=[0.1, 0.1, 0.2, 0.2]),
        loss_cls=dict(type="FocalLoss", use_sigmoid=True, gamma=2.0, alpha=0.25, loss_weight=1.0),
        loss_bbox=dict(type="GIoULoss", loss_weight=2.0),
        loss_centerness=dict(type="CrossEntropyLoss", use_sigmoid=True, loss_weight=1.0),
    ),
    train_cfg=dict(assigner=dict(type="ATSSAssigner", topk=9), allowed_border=-1, pos_weight=-1, debug=False),
    test_cfg=dict(
        nms_pre=1000, min_bbox_size=0, score_thr=0.05, nms=dict(type="nms", iou_threshold=0.6), max_per_img=100
    ),
)

train_pipeline = [
    dict(type="LoadTableImage"),
    dict(type="LoadAnnotations", with_bbox=True),
    dict(type="Resize", scale=input_size, keep_ratio=False),
    dict(type="RandomCrop", crop_size=crop_size, allow_negative_crop=True),
    dict(type="RandomFlip", prob=0.5),
    dict(type="PhotoMetricDistortion"),
    dict(type="PackDetInputs"),
]
test_pipeline = [
    dict(type="LoadTableImage"),
    dict(type="Resize", scale=input_size, keep_ratio=False),
    dict(type="PackDetInputs", meta_keys=("img_id", "img_path", "ori_shape", "img_shape", "scale_factor")),
]

optim_wrapper = dict(
    optimizer=dict(type="AdamW", lr=1e-3, weight_decay=0.01),
    paramwise_cfg=dict(custom_keys=dict(backbone=dict(lr_mult=0.5))),
    clip_grad=dict(max_norm=35),
)
param_scheduler = [
    dict(type="LinearLR", start_factor=0.1, begin=0.0, end=0.05, by_epoch=False),
    dict(type="CosineAnnealingLR", eta_min=1e-5, begin=0.05, end=1.0, by_epoch=False),
]
