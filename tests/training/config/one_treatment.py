"""The treatment of a study that has one."""


def only(study):
    [treatment] = study.treatments
    return treatment
