"""What a translation brought and what it broke, measured before anything is trained on it; gates."""

from typing import TYPE_CHECKING

from tasks import face

if TYPE_CHECKING:
    from tasks.audit.config import AuditConfig
    from tasks.audit.detail import MARGIN, DetailMaps
    from tasks.audit.gate import AuditFailed
    from tasks.audit.job import Judged, judged_inputs
    from tasks.audit.make_audit import audit_recipe, build_audit, training_set
    from tasks.audit.preflight import audit_problems
    from tasks.audit.rates import source_id
    from tasks.audit.telling import check_sentence, measure_label, subject_label
else:
    __all__, __getattr__ = face(__name__, __file__)
