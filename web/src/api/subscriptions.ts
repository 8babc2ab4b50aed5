import type { subscriptionExchange } from 'urql';

export type SubscriptionForwarder = Parameters<typeof subscriptionExchange>[0]['forwardSubscription'];
