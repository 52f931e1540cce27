import { Component, type ReactNode } from 'react';
import { ProblemError } from '../api/problem-error.ts';
import { ProblemNotice } from './problem-notice.tsx';

interface State {
  readonly error?: unknown;
}

/** Keeps the rest of the console standing when one page breaks. */
export class ErrorBoundary extends Component<{ readonly children: ReactNode }, State> {
  override state: State = {};

  static getDerivedStateFromError(error: unknown): State {
    return { error };
  }

  override render(): ReactNode {
    if (this.state.error === undefined) return this.props.children;
    return <ProblemNotice problem={ProblemError.from(this.state.error).problem} onRetry={() => this.setState({ error: undefined })} />;
  }
}
