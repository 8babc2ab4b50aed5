/** When a company works. */
import type { Example } from './example.ts';

const WEEKDAYS = [1, 2, 3, 4, 5];

export const HOURS: readonly Example[] = [
  {
    id: 'status-at',
    group: 'Working hours',
    title: 'Open at another time?',
    about: 'Public: the same answer for any instant, by the hours that held or will hold then.',
    as: 'anybody',
    document: `query OpenAt($tenant: String, $at: DateTime!) {
  workingHoursStatus(tenant: $tenant, at: $at) {
    isWorkingHours
    explanation
    localTime
    nextChangeAt
    rule {
      kind
      name
      date
      startTime
      endTime
    }
  }
}`,
    variables: { tenant: '{{activeSlug}}', at: '{{inAWeek}}T03:00:00Z' },
  },
  {
    id: 'week',
    group: 'Working hours',
    title: 'The week',
    about: 'The hours of the organization, its timezone, and the coming changes.',
    as: 'company',
    document: `query Week {
  timezone {
    value
  }
  workingHours {
    dayOfWeek
    startTime
    endTime
    isActive
  }
  workingHoursChanges(count: 6) {
    at
    isWorkingHours
  }
}`,
  },
  {
    id: 'preview',
    group: 'Working hours',
    title: 'Try hours before saving them',
    about: 'What a schedule would mean, and what is odd about it. Changes nothing.',
    as: 'company',
    document: `query TryHours($input: WorkingHoursPreviewInput!) {
  workingHoursPreview(input: $input) {
    openHoursPerWeek
    warnings {
      kind
      message
      entry
    }
    changes {
      at
      isWorkingHours
    }
  }
}`,
    variables: {
      input: {
        timezone: 'Asia/Jakarta',
        count: 6,
        days: WEEKDAYS.flatMap((dayOfWeek) => [
          { dayOfWeek, startTime: '08:00', endTime: '12:00' },
          { dayOfWeek, startTime: '13:00', endTime: '17:30' },
        ]),
      },
    },
  },
  {
    id: 'update-week',
    group: 'Working hours',
    title: 'Save hours',
    about: 'Replaces the days that are named: a Friday with a long break, a short Saturday.',
    as: 'company',
    document: `mutation SaveHours($days: [WorkingHoursEntryInput!]!) {
  updateWorkingHours(days: $days) {
    dayOfWeek
    startTime
    endTime
    isActive
  }
}`,
    variables: {
      days: [
        { dayOfWeek: 5, startTime: '08:00', endTime: '11:30' },
        { dayOfWeek: 5, startTime: '13:30', endTime: '17:30' },
        { dayOfWeek: 6, startTime: '09:00', endTime: '13:00' },
      ],
    },
  },
  {
    id: 'timezone',
    group: 'Working hours',
    title: 'Move to another timezone',
    about: 'The same hours by another wall clock.',
    as: 'company',
    document: `mutation MoveTimezone($timezone: String!) {
  updateTimezone(timezone: $timezone) {
    value
    updatedAt
  }
}`,
    variables: { timezone: 'Asia/Jayapura' },
  },
  {
    id: 'add-exception',
    group: 'Working hours',
    title: 'Add a holiday',
    about: 'One day in a week, closed; with "hours" it would have special ones.',
    as: 'company',
    document: `mutation AddHoliday($input: CreateWorkingHoursExceptionInput!) {
  createWorkingHoursException(input: $input) {
    id
    name
    startDate
    endDate
    yearly
    hours {
      startTime
      endTime
    }
  }
}`,
    variables: { input: { name: 'Company outing {{number}}', startDate: '{{inAWeek}}' } },
  },
  {
    id: 'exceptions',
    group: 'Working hours',
    title: 'Holidays and special hours',
    about: 'All days that differ from the week.',
    as: 'company',
    document: `query Holidays {
  workingHoursExceptions {
    id
    name
    startDate
    endDate
    yearly
    divisionId
    hours {
      startTime
      endTime
    }
  }
}`,
  },
  {
    id: 'delete-exception',
    group: 'Working hours',
    title: 'Remove the first of them',
    about: 'The day counts as any other again.',
    as: 'company',
    document: `mutation RemoveHoliday($id: UUID!) {
  deleteWorkingHoursException(id: $id) {
    id
  }
}`,
    variables: { id: '{{exceptionId}}' },
  },
  {
    id: 'business-minutes',
    group: 'Working hours',
    title: 'When is a reply due?',
    about: 'Four hours of working time from now, and how much lies in the coming week.',
    as: 'company',
    document: `query ReplyDue($from: DateTime!, $to: DateTime!) {
  addBusinessMinutes(at: $from, minutes: 240)
  businessMinutesBetween(from: $from, to: $to)
}`,
    variables: { from: '{{today}}T01:00:00Z', to: '{{inAWeek}}T01:00:00Z' },
  },
];
