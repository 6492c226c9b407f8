//! The tables as Diesel sees them; the migrations are the truth, a test compares both.
#![allow(missing_docs)]

diesel::table! {
    ledger_head (epoch) {
        epoch -> BigInt,
        origin -> Text,
        size -> BigInt,
        leaf -> Binary,
        ts -> BigInt,
        frontier -> Binary,
    }
}

diesel::table! {
    ledger_entry (epoch, seq) {
        epoch -> BigInt,
        seq -> BigInt,
        entry -> Binary,
        leaf -> Binary,
        ts -> BigInt,
        act -> Text,
        actor -> Nullable<Text>,
        obj_kind -> Nullable<Text>,
        obj_id -> Nullable<Text>,
    }
}

diesel::table! {
    ledger_tile (epoch, level, idx) {
        epoch -> BigInt,
        level -> BigInt,
        idx -> BigInt,
        hash -> Binary,
    }
}

diesel::table! {
    ledger_checkpoint (epoch, size) {
        epoch -> BigInt,
        size -> BigInt,
        note -> Text,
    }
}

diesel::table! {
    content (sha256) {
        sha256 -> Text,
        bytes -> Binary,
        /// The size of the bytes unpacked; none where they are not packed.
        unpacked -> Nullable<BigInt>,
    }
}

diesel::table! {
    sealed_value (commitment) {
        commitment -> Text,
        name -> Text,
        salt -> Binary,
        value -> Text,
    }
}

diesel::table! {
    anchor (id) {
        id -> Text,
        epoch -> BigInt,
        entries -> BigInt,
        note -> Text,
        note_size -> BigInt,
        reply -> Text,
        reply_size -> BigInt,
        chain -> Text,
        chain_size -> BigInt,
        stamped_at -> BigInt,
        kept_at -> BigInt,
        authority -> Text,
        policy -> Text,
        serial -> Text,
    }
}

diesel::table! {
    legal_hold (id) {
        id -> Text,
        subject_kind -> Text,
        subject_id -> Text,
        reason -> Text,
        set_at -> BigInt,
        set_by -> Text,
        lifted_at -> Nullable<BigInt>,
        lifted_by -> Nullable<Text>,
        lift_reason -> Nullable<Text>,
    }
}

diesel::table! {
    erasure (id) {
        id -> Text,
        basis -> Text,
        reason -> Text,
        erased_at -> BigInt,
        erased_by -> Text,
    }
}

diesel::table! {
    erased_value (commitment) {
        commitment -> Text,
        erasure -> Text,
        seq -> BigInt,
        name -> Text,
    }
}

diesel::joinable!(erased_value -> erasure (erasure));

diesel::table! {
    disposal (number) {
        number -> Text,
        reason -> Text,
        state -> Text,
        proposed_at -> BigInt,
        proposed_by -> Text,
        decided_at -> Nullable<BigInt>,
        decided_by -> Nullable<Text>,
        decision_reason -> Nullable<Text>,
    }
}

diesel::table! {
    disposal_item (disposal, subject_kind, subject_id) {
        disposal -> Text,
        subject_kind -> Text,
        subject_id -> Text,
        digest -> Text,
        rule -> Text,
        clause -> Text,
        retain_until -> BigInt,
    }
}

diesel::table! {
    disposed (subject_kind, subject_id) {
        subject_kind -> Text,
        subject_id -> Text,
        disposal -> Text,
        removed -> Text,
        rule -> Text,
        clause -> Text,
        retain_until -> BigInt,
        along_with -> Text,
        disposed_at -> BigInt,
        disposed_on -> Text,
        epoch -> BigInt,
        seq -> BigInt,
    }
}

diesel::table! {
    disposed_value (commitment) {
        commitment -> Text,
        subject_kind -> Text,
        subject_id -> Text,
        name -> Text,
    }
}

diesel::table! {
    disposed_content (sha256) {
        sha256 -> Text,
        subject_kind -> Text,
        subject_id -> Text,
    }
}

diesel::joinable!(disposal_item -> disposal (disposal));

diesel::table! {
    job (id) {
        id -> Text,
        kind -> Text,
        account_id -> Text,
        state -> Text,
        done -> BigInt,
        total -> BigInt,
        message -> Text,
        result -> Nullable<Text>,
        created_at -> BigInt,
        updated_at -> BigInt,
    }
}

diesel::table! {
    kept_answer (name) {
        name -> Text,
        sealed -> Binary,
        kept_at -> BigInt,
    }
}

diesel::table! {
    demo_step (mark) {
        mark -> Text,
    }
}

diesel::table! {
    account (id) {
        id -> Text,
        login_sealed -> Text,
        name_sealed -> Text,
        password_hash -> Text,
        must_change -> Bool,
        disabled -> Bool,
        ends_at -> Nullable<BigInt>,
        created_at -> BigInt,
        created_by -> Text,
    }
}

diesel::table! {
    account_grant (id) {
        id -> Text,
        account_id -> Text,
        role -> Text,
        requested_by -> Text,
        requested_at -> BigInt,
        reason -> Text,
        signed_by -> Nullable<Text>,
        signed_at -> Nullable<BigInt>,
        ended_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    api_token (id) {
        id -> Text,
        account_id -> Text,
        label -> Text,
        token_hash -> Text,
        created_at -> BigInt,
        expires_at -> BigInt,
        revoked_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    setting (name) {
        name -> Text,
        value -> Text,
    }
}

diesel::table! {
    session (token_hash) {
        token_hash -> Text,
        account_id -> Text,
        via -> BigInt,
        csrf -> Text,
        created_at -> BigInt,
        seen_at -> BigInt,
        ended_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    sign_in_failure (login_hash) {
        login_hash -> Text,
        failures -> BigInt,
        locked_until -> Nullable<BigInt>,
        updated_at -> BigInt,
    }
}

diesel::table! {
    document (number) {
        number -> Text,
        kind -> Text,
        department -> Text,
        owner_id -> Text,
        authoritative_language -> Text,
        title -> Text,
        processes -> Text,
        audience -> Text,
        review_months -> BigInt,
        created_at -> BigInt,
        created_by -> Text,
        retired_from -> Nullable<BigInt>,
        retire_reason -> Nullable<Text>,
    }
}

diesel::table! {
    document_review (id) {
        id -> Text,
        document -> Text,
        version -> Text,
        outcome -> Text,
        comment -> Text,
        reviewed_at -> BigInt,
        reviewed_by -> Text,
    }
}

diesel::table! {
    document_version (document, version) {
        document -> Text,
        version -> Text,
        major -> BigInt,
        minor -> BigInt,
        state -> Text,
        title -> Text,
        processes -> Text,
        audience -> Text,
        review_months -> BigInt,
        change_summary -> Text,
        change_reason -> Text,
        round -> BigInt,
        asked_from -> Nullable<BigInt>,
        effective_from -> Nullable<BigInt>,
        digest -> Text,
        created_at -> BigInt,
        created_by -> Text,
        submitted_at -> Nullable<BigInt>,
        approved_at -> Nullable<BigInt>,
        ended_at -> Nullable<BigInt>,
        ended_by -> Nullable<Text>,
        ended_reason -> Nullable<Text>,
    }
}

diesel::table! {
    rendition (document, version, lang) {
        document -> Text,
        version -> Text,
        lang -> Text,
        sha256 -> Text,
        size -> BigInt,
    }
}

diesel::table! {
    version_author (document, version, account_id) {
        document -> Text,
        version -> Text,
        account_id -> Text,
    }
}

diesel::table! {
    version_task (document, version, round, task, account_id) {
        document -> Text,
        version -> Text,
        round -> BigInt,
        task -> Text,
        account_id -> Text,
    }
}

diesel::table! {
    signature (id) {
        id -> Text,
        subject_kind -> Text,
        subject_id -> Text,
        round -> BigInt,
        account_id -> Text,
        role -> Text,
        meaning -> Text,
        digest -> Text,
        method -> Text,
        signed_at -> BigInt,
        seq -> BigInt,
        name_sealed -> Text,
        comment -> Nullable<Text>,
    }
}

diesel::table! {
    document_reference (document, version, target) {
        document -> Text,
        version -> Text,
        target -> Text,
    }
}

diesel::table! {
    sales_order (number) {
        number -> Text,
        customer_code -> Text,
        customer_sealed -> Text,
        ship_to_sealed -> Nullable<Text>,
        ordered_at -> Nullable<BigInt>,
        shipped_at -> Nullable<BigInt>,
        recorded_at -> BigInt,
    }
}

diesel::table! {
    order_line (order_number, line) {
        order_number -> Text,
        line -> Text,
        material -> Text,
        name -> Text,
        approval_number -> Nullable<Text>,
        batch -> Nullable<Text>,
        expiry -> Nullable<Text>,
        quantity -> Text,
        unit -> Text,
        storage -> Text,
    }
}

diesel::table! {
    order_event (order_number, n) {
        order_number -> Text,
        n -> BigInt,
        kind -> Text,
        at -> BigInt,
        by_sealed -> Nullable<Text>,
    }
}

diesel::table! {
    order_hold (order_number, recall) {
        order_number -> Text,
        recall -> Text,
        held_at -> BigInt,
        released_at -> Nullable<BigInt>,
        released_by -> Nullable<Text>,
        reason -> Nullable<Text>,
    }
}

diesel::table! {
    deviation (number) {
        number -> Text,
        title -> Text,
        description -> Text,
        class -> Text,
        area -> Text,
        occurred_at -> BigInt,
        found_at -> BigInt,
        immediate_action -> Text,
        state -> Text,
        class_rationale -> Text,
        impact -> Text,
        investigation -> Text,
        root_cause -> Text,
        capa -> Text,
        no_capa_reason -> Text,
        effectiveness_result -> Text,
        due_at -> Nullable<BigInt>,
        raised_at -> BigInt,
        raised_by -> Text,
        closed_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    deviation_order (deviation, order_number) {
        deviation -> Text,
        order_number -> Text,
    }
}

diesel::table! {
    deviation_batch (deviation, material, batch) {
        deviation -> Text,
        material -> Text,
        batch -> Text,
    }
}

diesel::table! {
    recall (number) {
        number -> Text,
        title -> Text,
        class -> Text,
        class_rationale -> Text,
        reason -> Text,
        role -> Text,
        origin -> Text,
        drill -> Bool,
        decided_at -> BigInt,
        state -> Text,
        unaccounted_reason -> Text,
        raised_at -> BigInt,
        raised_by -> Text,
        closed_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    recall_batch (recall, material, batch) {
        recall -> Text,
        material -> Text,
        batch -> Text,
    }
}

diesel::table! {
    recall_clock (recall, name) {
        recall -> Text,
        name -> Text,
        due_at -> Nullable<BigInt>,
        clause -> Text,
    }
}

diesel::table! {
    recall_line (recall, order_number, line) {
        recall -> Text,
        order_number -> Text,
        line -> Text,
        customer_code -> Text,
        material -> Text,
        batch -> Text,
        quantity -> Text,
        unit -> Text,
        found_at -> BigInt,
    }
}

diesel::table! {
    recall_customer (recall, customer_code) {
        recall -> Text,
        customer_code -> Text,
        notified_at -> Nullable<BigInt>,
        acknowledged_at -> Nullable<BigInt>,
        returned -> Text,
        note -> Text,
    }
}

diesel::table! {
    correction (id) {
        id -> Text,
        subject_kind -> Text,
        subject_id -> Text,
        field -> Text,
        old_value -> Text,
        new_value -> Text,
        reason -> Text,
        requested_at -> BigInt,
        requested_by -> Text,
        approved -> Nullable<Bool>,
        decided_at -> Nullable<BigInt>,
        decided_by -> Nullable<Text>,
        decision_reason -> Nullable<Text>,
    }
}

diesel::table! {
    record_transition (subject_kind, subject_id, n) {
        subject_kind -> Text,
        subject_id -> Text,
        n -> BigInt,
        from_state -> Text,
        to_state -> Text,
        reason -> Text,
        moved_at -> BigInt,
        moved_by -> Text,
    }
}

diesel::table! {
    link (id) {
        id -> Text,
        from_kind -> Text,
        from_id -> Text,
        to_kind -> Text,
        to_id -> Text,
        relation -> Text,
        reason -> Text,
        created_at -> BigInt,
        created_by -> Text,
        removed_at -> Nullable<BigInt>,
        removed_by -> Nullable<Text>,
        removal_reason -> Nullable<Text>,
    }
}

diesel::table! {
    pack (id) {
        id -> Text,
        scope -> Text,
        subjects -> Text,
        from_at -> Nullable<BigInt>,
        before_at -> Nullable<BigInt>,
        reason -> Text,
        disclosed -> Bool,
        checkpoint -> BigInt,
        entries -> BigInt,
        sha256 -> Text,
        size -> BigInt,
        made_at -> BigInt,
        made_by -> Text,
    }
}

diesel::table! {
    document_copy (document, n) {
        document -> Text,
        n -> BigInt,
        version -> Text,
        lang -> Text,
        token -> Text,
        holder_sealed -> Text,
        place -> Text,
        issued_at -> BigInt,
        issued_by -> Text,
        recalled_at -> Nullable<BigInt>,
        outcome -> Text,
        note -> Text,
        settled_at -> Nullable<BigInt>,
        settled_by -> Nullable<Text>,
    }
}

diesel::table! {
    print_mark (mark) {
        mark -> Text,
        epoch -> BigInt,
        seq -> BigInt,
    }
}

diesel::allow_tables_to_appear_in_same_query!(
    ledger_head,
    ledger_entry,
    ledger_tile,
    ledger_checkpoint,
    content,
    sealed_value,
    anchor,
    legal_hold,
    erasure,
    erased_value,
    disposal,
    disposal_item,
    disposed,
    disposed_value,
    disposed_content,
    job,
    kept_answer,
    demo_step,
    account,
    account_grant,
    api_token,
    setting,
    session,
    sign_in_failure,
    document,
    document_review,
    document_version,
    rendition,
    version_author,
    version_task,
    signature,
    document_reference,
    sales_order,
    order_line,
    order_event,
    order_hold,
    deviation,
    deviation_order,
    deviation_batch,
    recall,
    recall_batch,
    recall_clock,
    recall_line,
    recall_customer,
    correction,
    record_transition,
    link,
    pack,
    document_copy,
    print_mark,
);
