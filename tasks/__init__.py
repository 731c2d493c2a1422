"""The rooms of the pipeline: datasets -> translate -> retrain -> evaluate -> report, and the store beside them.

Every room shows the same front: ``config.py`` (its section of the YAML) and ``stage.py`` (its Prefect tasks, the only
file of the room that imports Prefect). Everything else is plain Python. Rooms import leftward only.
"""
