"""The reviewer: checks what agents claim against the evidence they cite."""
