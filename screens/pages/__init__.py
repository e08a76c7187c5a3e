"""The tables of what browsers see, one line an entry, in the order of the menu and of the home page.

SCREENS: key == class name in snake_case == address /admin/<key>/. HOME_CARDS: who holds the permission sees the card.
ADDRESSES: blueprints outside /admin/, each of whose views says `needs` or `opened`.
"""

from __future__ import annotations

from flask import Blueprint

from screens import home_cards
from screens.base import Page, Screen
from screens.cards import Source
from screens.pages import (
    accounts,
    assessments,
    audits,
    batch_audits,
    batch_change_lines,
    batch_changes,
    boards,
    campaigns,
    competitions,
    contacts,
    customers,
    desk,
    duplicates,
    health,
    home,
    imports,
    issues,
    merges,
    notices,
    people,
    phone,
    proposals,
    publications,
    quality_rules,
    reach,
    rules,
    runs,
    samples,
    settings,
    shared_numbers,
    staff,
    tasks,
    traces,
    trends,
    visits,
    workflows,
    yields,
)

SCREENS: dict[str, type[Page] | type[Screen]] = {
    "tasks": tasks.Tasks,
    "issues": issues.Issues,
    "desk": desk.Desk,
    "campaigns": campaigns.Campaigns,
    "customers": customers.Customers,
    "contacts": contacts.Contacts,
    "proposals": proposals.Proposals,
    "batch_changes": batch_changes.BatchChanges,
    "batch_change_lines": batch_change_lines.BatchChangeLines,
    "duplicates": duplicates.Duplicates,
    "merges": merges.Merges,
    "reach": reach.Reach,
    "yields": yields.Yields,
    "yield_values": yields.YieldValues,
    "shared_numbers": shared_numbers.SharedNumbers,
    "imports": imports.Imports,
    "visits": visits.Visits,
    "assessments": assessments.Assessments,
    "trends": trends.Trends,
    "publications": publications.Publications,
    "samples": samples.Samples,
    "audits": audits.Audits,
    "batch_audits": batch_audits.BatchAudits,
    "notices": notices.Notices,
    "competitions": competitions.Competitions,
    "workflows": workflows.Workflows,
    "runs": runs.Runs,
    "territories": people.Territories,
    "leaves": people.Leaves,
    "traces": traces.Traces,
    "units": people.Units,
    "staff": staff.Staff,
    "roles": staff.Roles,
    "rules": quality_rules.Rules,
    "required_fields": rules.RequiredFields,
    "targets": rules.Targets,
    "policies": rules.Policies,
    "contact_kinds": settings.ContactKinds,
    "reasons": settings.Reasons,
    "holidays": settings.Holidays,
    "letterheads": settings.Letterheads,
}

HOME_CARDS: tuple[tuple[str, Source], ...] = (
    ("tasks.view", tasks.waiting_card),
    ("runs.run", home_cards.stuck_runs),
    ("imports.run", home_cards.imports_under_way),
    ("issues.view", issues.own_issues_card),
    ("audits.key", audits.to_audit_card),
    ("visits.edit", visits.own_doors_card),
    ("visits.assign", visits.unassigned_card),
    ("notices.acknowledge", notices.to_sign_card),
    ("proposals.approve", proposals.waiting_card),
    ("batch_changes.approve", batch_changes.waiting_card),
    ("letters.run", desk.letters_to_post),
    ("returns.key", desk.returns_today),
    ("undelivered.key", desk.undelivered_today),
    ("traces.export", traces.reveals_card),
    ("staff.edit", staff.accounts_card),
)

ADDRESSES: tuple[Blueprint, ...] = (accounts.pages, boards.pages, health.pages, home.pages, phone.pages)
