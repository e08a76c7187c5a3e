"""Floor 0, what is true: the tables, re-exported so that everybody writes `from models import Customer`."""

from models.assessments import Assessment, AssessmentResult, RequiredField, Target
from models.base import Base, db
from models.batch_changes import BatchChange, BatchChangeLine
from models.campaigns import Campaign, FormVersion, Recipient
from models.competitions import (
    BoardKey,
    BoardRevision,
    Competition,
    Division,
    DivisionUnit,
    ScoreEntry,
    Standing,
    StandingSet,
)
from models.contacts import Confirmation, Contact, ContactKind, Policy, PolicyUse
from models.counts import ContactCount, CountSet, QualityCount
from models.customers import Consent, Customer, CustomerVersion, Preference
from models.delegations import Delegation
from models.duplicates import CustomerMerge, DuplicatePair, MatchKey
from models.imports import BatchRow, ImportBatch, ImportMapping, TrialRow
from models.issues import Issue
from models.letters import Keying, Letter, PrintRun
from models.messages import Message, MessageTemplate
from models.notices import BulletinReceipt, Notice
from models.people import Leave, Role, SavedFilter, SignIn, SignInAttempt, Staff, Territory, Unit
from models.places import DoorPlate, PlaceDivision, PlaceRename
from models.printers import Printer, PrintTray
from models.publications import Publication
from models.replies import Reply, ReplyTry
from models.reports import Report
from models.rules import Rule, RuleResult
from models.samples import AuditEntry, AuditItem, BatchAudit, Sample, SampledCustomer
from models.scan_batches import KeyJob, ScanBatch, Sheet
from models.schedules import Event, EventStart, EventSubscription, Schedule, ScheduleSlot
from models.search import SearchRow
from models.segments import SavedSegment
from models.settings import Holiday, Letterhead, Reason, Setting, StoredFile
from models.shared_numbers import NumberAllowance, SharedNumber
from models.tasks import Task, TaskAct, TaskPerson
from models.traces import Trace, TraceAnchor
from models.trials import Trial
from models.visits import Visit, VisitAttempt, WalkList
from models.workflow_drafts import WorkflowDraft, WorkflowDraftChange
from models.workflows import Lease, Outgoing, Run, Step, StepItem, Workflow, WorkflowVersion

__all__ = [
    "Assessment",
    "AssessmentResult",
    "AuditEntry",
    "AuditItem",
    "Base",
    "BatchAudit",
    "BatchChange",
    "BatchChangeLine",
    "BatchRow",
    "BoardKey",
    "BoardRevision",
    "BulletinReceipt",
    "Campaign",
    "Competition",
    "Confirmation",
    "Consent",
    "Contact",
    "ContactCount",
    "ContactKind",
    "CountSet",
    "Customer",
    "CustomerMerge",
    "CustomerVersion",
    "Division",
    "DivisionUnit",
    "Delegation",
    "DoorPlate",
    "Event",
    "EventStart",
    "EventSubscription",
    "DuplicatePair",
    "FormVersion",
    "Holiday",
    "ImportBatch",
    "ImportMapping",
    "Issue",
    "KeyJob",
    "Keying",
    "Lease",
    "Leave",
    "Letter",
    "Letterhead",
    "MatchKey",
    "Message",
    "MessageTemplate",
    "Notice",
    "NumberAllowance",
    "Outgoing",
    "PlaceDivision",
    "PlaceRename",
    "Policy",
    "PolicyUse",
    "Preference",
    "PrintRun",
    "PrintTray",
    "Printer",
    "Publication",
    "Reason",
    "QualityCount",
    "Recipient",
    "Reply",
    "ReplyTry",
    "Report",
    "RequiredField",
    "Role",
    "Rule",
    "RuleResult",
    "Run",
    "Sample",
    "SampledCustomer",
    "SavedFilter",
    "SavedSegment",
    "ScanBatch",
    "Schedule",
    "ScheduleSlot",
    "ScoreEntry",
    "SearchRow",
    "Setting",
    "SharedNumber",
    "Sheet",
    "SignIn",
    "SignInAttempt",
    "Staff",
    "Standing",
    "StandingSet",
    "Step",
    "StepItem",
    "StoredFile",
    "Target",
    "Task",
    "TaskAct",
    "TaskPerson",
    "Territory",
    "Trace",
    "TraceAnchor",
    "Trial",
    "TrialRow",
    "Unit",
    "Visit",
    "VisitAttempt",
    "WalkList",
    "Workflow",
    "WorkflowDraft",
    "WorkflowDraftChange",
    "WorkflowVersion",
    "db",
]
