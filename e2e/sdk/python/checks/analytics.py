"""Counts by day. Nothing has happened in this app."""

import time

from harness import equal, expect, refused

DAY = 24 * 60 * 60


def nothing_happened(stats):
    equal(stats.session_stats.sessions_count, 0, "sessions_count")
    equal(stats.session_stats.sessions_minutes_consumed, 0, "sessions_minutes_consumed")
    equal(stats.session_stats.day_stats, [], "session day_stats")
    equal(stats.recording_stats.recording_count, 0, "recording_count")
    equal(stats.recording_stats.recording_minutes_consumed, 0, "recording_minutes_consumed")
    equal(stats.recording_stats.day_stats, [], "recording day_stats")


def check_by_day_is_empty(w):
    nothing_happened(w.kit.analytics.get_org_analytics(w.app_id, **w.account).data)
    nothing_happened(w.kit.livestreams.get_org_analytics(w.app_id, **w.account).data)


def check_by_day_takes_a_range(w):
    days = {"start_date": "2026-01-01", "end_date": "2026-01-31"}
    nothing_happened(w.kit.analytics.get_org_analytics(w.app_id, **w.account, **days).data)


def check_by_day_refuses_impossible_ranges(w):
    get = w.kit.analytics.get_org_analytics
    refused(400, get, w.app_id, **w.account, start_date="2026-02-01", end_date="2026-01-01")
    refused(400, get, w.app_id, **w.account, start_date="yesterday")


def check_livestreams_by_day_are_zero(w):
    now = int(time.time())
    days = w.kit.livestreams.get_livestream_analytics_daywise(
        w.app_id, **w.account, start_time=now - 7 * DAY, end_time=now
    ).data
    expect(isinstance(days, list), f"data is {days!r}")
    for day in days:
        counts = (day.count, day.total_ingest_seconds, day.total_viewer_seconds)
        equal(counts, (0, 0, 0), f"counts of {day.date}")


def check_livestreams_overall_are_zero(w):
    total = w.kit.livestreams.get_livestream_analytics_complete(w.app_id, **w.account).data
    counts = (total.count, total.total_ingest_seconds, total.total_viewer_seconds)
    equal(counts, (0, 0, 0), "counts")


def check_livestreams_refuse_impossible_ranges(w):
    now = int(time.time())
    for get in (
        w.kit.livestreams.get_livestream_analytics_complete,
        w.kit.livestreams.get_livestream_analytics_daywise,
    ):
        refused(400, get, w.app_id, **w.account, start_time=now, end_time=now - DAY)
