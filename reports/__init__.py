"""The app. Data flows up, imports point down.

models → intake → clustering → detection → triage → publishing → faces (edge, web, api, tasks, admin, management).
"""
