import { graphql } from "relay-runtime";

export const row = graphql`
  fragment Queue_row on Application {
    id
    applicant
    stage
    availableMoves
  }
`;

export const page = graphql`
  fragment Queue_page on Query
  @refetchable(queryName: "QueuePageQuery")
  @argumentDefinitions(count: { type: "Int", defaultValue: 20 }, cursor: { type: "String" }) {
    applications(filter: { awaitingMe: true }, first: $count, after: $cursor) @connection(key: "Queue_applications") {
      totalCount
      edges {
        node {
          ...Queue_row
        }
      }
    }
  }
`;

export const queue = graphql`
  query QueueQuery {
    ...Queue_page
  }
`;

export const cases = graphql`
  fragment Queue_expert on Expert
  @refetchable(queryName: "QueueExpertQuery")
  @argumentDefinitions(count: { type: "Int", defaultValue: 5 }, cursor: { type: "String" }) {
    standing
    applications(first: $count, after: $cursor) @connection(key: "Queue_expert_applications") {
      edges {
        node {
          ...Queue_row
        }
      }
    }
  }
`;

export const approve = graphql`
  mutation QueueApproveMutation($input: ApplicationApproveInput!) {
    applicationApprove(input: $input) {
      __typename
      ... on Application {
        ...Queue_row @alias
      }
      ... on Problem {
        code
        message
      }
    }
  }
`;

export const moved = graphql`
  subscription QueueMovedSubscription($id: ID!) {
    applicationMoved(applicationId: $id) {
      ...Queue_row
    }
  }
`;
